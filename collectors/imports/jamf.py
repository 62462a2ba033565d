"""Jamf Pro: an advanced search of computers or of mobile devices, exported as CSV.

A search is exported with the display fields it was given, under their names. RAM is in MB that are MiB, discs in MB. Bluetooth
addresses are not read: they are on no network that we count.
"""

from collectors.imports import cells
from collectors.imports.asset_list import Habits, asset_list

COMPUTERS = asset_list(
    name="jamf-computers",
    source="jamf",
    what="computers of Jamf Pro",
    columns={
        "name": ("Computer Name",),
        "serial": ("Serial Number",),
        "mac": ("MAC Address", "Primary MAC Address", "Alternate MAC Address", "Secondary MAC Address"),
        "maker": ("Make",),
        "model": ("Model", "Model Identifier"),
        "os": ("Operating System Name", "Platform", "Operating System"),
        "os_version": ("Operating System Version", "OS Version"),
        "unit": ("Department", "Building", "Site"),
        "room": ("Room",),
        "asset": ("Asset Tag",),
        "last_seen": ("Last Check-in", "Last Inventory Update"),
        "memory": ("Total RAM MB", "Total RAM"),
        "storage": ("Drive Capacity MB", "Boot Drive Capacity MB"),
    },
    marks=(
        "Computer Name",
        "JSS Computer ID",
        "Jamf Pro Computer ID",
        "JAMF Binary Version",
        "Jamf Pro Binary Version",
        "Total RAM MB",
        "Drive Capacity MB",
    ),
    habits=Habits(maker="Apple", memory=cells.mebibytes, storage=cells.megabytes),
)

MOBILE = asset_list(
    name="jamf-mobile",
    source="jamf",
    what="mobile devices of Jamf Pro",
    columns={
        "name": ("Display Name", "Device Name", "Mobile Device Name"),
        "serial": ("Serial Number",),
        "mac": ("Wi-Fi MAC Address", "Ethernet MAC Address"),
        "model": ("Model", "Model Identifier"),
        "os": ("OS Type", "Platform"),
        "os_version": ("OS Version", "iOS Version"),
        "unit": ("Department", "Building", "Site"),
        "room": ("Room",),
        "asset": ("Asset Tag",),
        "last_seen": ("Last Inventory Update", "Last Check-in"),
        "storage": ("Capacity MB", "Total Capacity MB"),
    },
    marks=(
        "JSS Mobile Device ID",
        "Jamf Pro Mobile Device ID",
        "Mobile Device Name",
        "Display Name",
        "Last Inventory Update",
        "Capacity MB",
        "Available Space MB",
        "Wi-Fi MAC Address",
        "Bluetooth MAC Address",
        "Device Locator Service Enabled",
    ),
    least=2,
    habits=Habits(maker="Apple", storage=cells.megabytes),
)
