"""What tests share, one module for each thing that a test needs."""
