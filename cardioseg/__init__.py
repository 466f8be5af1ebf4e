"""cardioseg: short-axis cardiac MRI in, ventricle masks, volumes and reports out."""

__version__ = "0.1.0"
