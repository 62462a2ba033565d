"""Microsoft Intune: "All devices", exported from the console or by the reports DevicesWithInventory and Devices.

The columns are documented for that report under two names each, the one that is asked for and the one that comes. Its pages do
not say in which unit storage is counted, so a bare number is taken by its magnitude. "Management name" is not read: it is made
of a user's name.
"""

from collectors.imports.asset_list import asset_list

FORMAT = asset_list(
    name="intune",
    source="intune",
    what="devices of Microsoft Intune",
    columns={
        "name": ("Device name", "DeviceName"),
        "serial": ("Serial number", "SerialNumber"),
        "mac": ("Wi-Fi MAC", "Wi-Fi MAC address", "WifiMacAddress", "EthernetMAC", "Ethernet MAC address"),
        "maker": ("Manufacturer",),
        "model": ("Model",),
        "os": ("OS", "Operating system", "DeviceType"),
        "os_version": ("OS version", "OSVersion"),
        "unit": ("Category", "CategoryName", "Device category"),
        "status": ("Device state", "ManagementState"),
        "last_seen": ("Last check-in", "LastContact", "Last contact", "lastSyncDateTime"),
        "memory": ("Physical memory", "PhysicalMemoryInBytes", "Total physical memory"),
        "storage": ("Total storage", "StorageTotal", "totalStorageSpaceInBytes"),
    },
    marks=(
        "Intune registered",
        "Azure AD Device ID",
        "Azure AD registered",
        "Microsoft Entra Device ID",
        "Microsoft Entra registered",
        "EAS activation ID",
        "EAS activated",
        "Compliance grace period expiration",
        "CompliantState",
        "ComplianceState",
        "Primary user UPN",
        "SkuFamily",
        "JoinType",
        "EthernetMAC",
        "Wi-Fi MAC",
        "WifiMacAddress",
        "Managed by",
        "ManagementAgent",
    ),
    least=2,
)
