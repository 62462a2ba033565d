"""The pages: templates and style sheets, words and layout only. What they show is decided in `reports`."""
