"""They judge: roadmap, standards and policy are data; evidence is weighed; nothing here does I/O or asks a clock."""
