"""Snipe-IT: the list of assets, exported from the table, or in the columns that its importer documents.

Addresses, memory and screens are custom fields there, so their names are the school's; the usual ones are known. Older releases
exported the cells with their HTML. Who an asset is checked out to is not read.
"""

from collectors.imports.asset_list import Habits, asset_list

FORMAT = asset_list(
    name="snipe-it",
    source="snipe-it",
    what="assets of Snipe-IT",
    columns={
        "name": ("Asset Name", "Item Name", "Name"),
        "serial": ("Serial", "Serial Number"),
        "mac": (
            "MAC Address",
            "MAC",
            "Wi-Fi MAC Address",
            "WiFi MAC",
            "WLAN MAC",
            "Wireless MAC",
            "Ethernet MAC Address",
            "Ethernet MAC",
            "LAN MAC",
        ),
        "maker": ("Manufacturer",),
        "model": ("Model Name", "Model", "Asset Model"),
        "os": ("Operating System", "Operative System", "OS"),
        "os_version": ("OS Version", "Operating System Version"),
        "unit": ("Category", "Department", "Company"),
        "room": ("Location", "Room", "Default Location"),
        "asset": ("Asset Tag",),
        "status": ("Status",),
        "cart": ("Cart", "Laptop Cart"),
        "updates_until": ("Auto Update Expiration", "Auto-Update Expiration", "AUE", "AUE Date", "Supported Until"),
        "memory": ("RAM", "Memory"),
        "storage": ("Storage", "Disk", "Hard Drive"),
        "screen": ("Screen", "Screen Size", "Display Size"),
    },
    marks=(
        "Asset Tag",
        "Asset Name",
        "Item Name",
        "Checked Out To",
        "Checked Out To: Username",
        "Checkout Type",
        "Model No.",
        "Model Number",
        "Device Image",
        "Default Location",
        "Requestable",
        "Purchase Cost",
        "Order Number",
        "Checkin/Checkout",
        "Category",
        "BYOD",
    ),
    least=2,
    habits=Habits(gone=frozenset({"archived"}), markup=True),
)
