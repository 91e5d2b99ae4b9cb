"""mailname: a self-hosted mail domain's name, from one plan file to one verdict."""

__version__ = "0.1.0"
