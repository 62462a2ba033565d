"""SNMP: network devices asked, read-only, what they are, what they carried and what they know of others."""
