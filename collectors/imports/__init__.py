"""Imports: asset lists, DHCP leases and room plans that a school exports to a file. Files are read, nothing is sent."""
