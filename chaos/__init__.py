"""Breaks many streams in every way, and checks what must always hold."""
