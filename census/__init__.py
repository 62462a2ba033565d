"""THEY COUNT: many sightings, each device once; what it is, where it hangs, and how that is known. No sockets, no clock."""
