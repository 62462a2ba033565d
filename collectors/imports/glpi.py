"""GLPI: the list of computers, exported as CSV in the language of whoever exported it: English, French, Spanish or German.

GLPI puts a column's group before its name ("Operating System - Name"), separates with semicolons, and counts memory in MiB.
Users, technicians and alternate usernames are not read.
"""

from collectors.imports import cells
from collectors.imports.asset_list import Habits, asset_list

FORMAT = asset_list(
    name="glpi",
    source="glpi",
    what="computers of GLPI",
    columns={
        "name": ("Name", "Nom", "Nombre"),
        "serial": ("Serial number", "Numéro de série", "Número de serie", "Seriennummer"),
        "mac": (
            "Networking - MAC address",
            "Network - MAC address",
            "Réseau - Adresse MAC",
            "Réseaux - Adresse MAC",
            "Red - Dirección MAC",
            "Redes - Dirección MAC",
            "Netzwerk - MAC-Adresse",
            "MAC address",
            "Adresse MAC",
            "Dirección MAC",
            "MAC-Adresse",
        ),
        "maker": ("Manufacturer", "Manufacturers", "Fabricant", "Fabricants", "Fabricante", "Fabricantes", "Hersteller"),
        "model": ("Model", "Models", "Modèle", "Modelo", "Modell"),
        "os": (
            "Operating System - Name",
            "Système d'exploitation - Nom",
            "Sistema operativo - Nombre",
            "Betriebssystem - Name",
        ),
        "os_version": (
            "Operating System - Version",
            "Système d'exploitation - Version",
            "Sistema operativo - Versión",
            "Betriebssystem - Version",
        ),
        "unit": ("Group", "Groupe", "Grupo", "Gruppe", "Entity", "Entité", "Entidad", "Entität"),
        "room": ("Location", "Locations", "Lieu", "Lieux", "Localización", "Localizaciones", "Ubicación", "Standort"),
        "asset": ("Inventory number", "Numéro d'inventaire", "Número de inventario", "Inventarnummer"),
        "status": ("Status", "Statut", "Estado"),
        "last_seen": (
            "Last inventory date",
            "Date du dernier inventaire",
            "Fecha del último inventario",
            "Datum der letzten Inventarisierung",
            "Last update",
            "Dernière modification",
            "Última actualización",
            "Letzte Aktualisierung",
            "Letzte Änderung",
        ),
        "memory": ("Components - Memory", "Composants - Mémoire", "Componentes - Memoria", "Komponenten - Arbeitsspeicher"),
    },
    marks=(
        "Operating System - Name",
        "Système d'exploitation - Nom",
        "Sistema operativo - Nombre",
        "Betriebssystem - Name",
        "Networking - MAC address",
        "Réseau - Adresse MAC",
        "Components - Processor",
        "Components - Processors",
        "Composants - Processeur",
        "Componentes - Procesador",
        "Komponenten - Prozessor",
        "Alternate username",
        "Usager",
        "Entity",
        "Entité",
        "Entidad",
        "Numéro de série",
        "Número de serie",
        "Seriennummer",
        "Inventory number",
    ),
    habits=Habits(memory=cells.mebibytes),
)
