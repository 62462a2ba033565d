"""Google Admin: ChromeOS devices, as the console downloads them or as a script prints the Directory API's fields.

The API's names are documented (REST resource chromeosdevices); the console's own are its labels. `dockMacAddress` is not read:
a dock goes from one device to the next. Memory is in bytes, and the day until which updates come is UTC.
"""

from collectors.imports.asset_list import Habits, asset_list

FORMAT = asset_list(
    name="google-admin",
    source="google",
    what="ChromeOS devices of Google Admin",
    columns={
        "serial": ("serialNumber", "Serial number"),
        "mac": (
            "macAddress",
            "Wi-Fi MAC address",
            "WiFi MAC",
            "MAC address (Wi-Fi)",
            "ethernetMacAddress",
            "ethernetMacAddress0",
            "Ethernet MAC",
            "MAC address (Ethernet)",
        ),
        "model": ("model", "Device model"),
        "os_version": ("osVersion", "Chrome version", "ChromeOS version", "Chrome OS version", "OS version"),
        "unit": ("orgUnitPath", "Organizational unit", "Organizational unit path", "Organisational unit", "Org unit"),
        "room": ("annotatedLocation", "Location", "Device location"),
        "asset": ("annotatedAssetId", "Asset ID", "Asset identifier"),
        "status": ("status", "Provisioning status", "Enrollment status"),
        "last_seen": ("lastSync", "Last sync", "Last policy sync", "Last synced", "Last activity"),
        "updates_until": (
            "autoUpdateThrough",
            "autoUpdateExpiration",
            "Auto-update expiration",
            "Auto-update expiration date",
            "AUE",
            "AUE date",
        ),
        "memory": ("systemRamTotal", "Total RAM", "System RAM", "Memory"),
        "storage": (
            "diskSpaceUsage.capacityBytes",
            "diskVolumeReports.0.volumeInfo.0.storageTotal",
            "diskVolumeReports.volumeInfo.storageTotal",
            "Disk capacity",
        ),
    },
    marks=(
        "orgUnitPath",
        "Organizational unit",
        "Organizational unit path",
        "annotatedAssetId",
        "annotatedLocation",
        "annotatedUser",
        "autoUpdateExpiration",
        "autoUpdateThrough",
        "Auto-update expiration",
        "Auto-update expiration date",
        "lastEnrollmentTime",
        "platformVersion",
        "bootMode",
        "Last policy sync",
        "ChromeOS version",
        "Chrome OS version",
    ),
    habits=Habits(os="ChromeOS", gone=frozenset({"deprovisioned"})),
)
