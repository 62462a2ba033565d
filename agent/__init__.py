"""The program in a school: command line, config, one survey, the schedule, the exporter."""
