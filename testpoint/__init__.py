"""The far end of a test: a small server that schools or districts run themselves. It speaks ndt7."""
