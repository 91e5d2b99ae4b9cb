"""mailname: a self-hosted mail domain's name, from one plan file to one verdict."""

import os

__version__ = "0.1.0"

if os.environ.get("MAILNAME_PURE") == "1":  # run the sources of the compiled core uncompiled
    from mailname import uncompiled

    uncompiled.prefer_sources()
