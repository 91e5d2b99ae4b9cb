"""Builds the compiled core where Cython and a C compiler are at hand; without them the same code runs uncompiled.

Everything else about the package stands in pyproject.toml.
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup

COMPILED = {
    "mailname.answer.images": "src/mailname/answer/images.py",
    "mailname.answer.plain": "src/mailname/answer/plain.py",
    "mailname.server.udp_worker": "src/mailname/server/udp_worker.pyx",
}


def extensions() -> list[Extension]:
    """Return the extension modules, each of which may fail to build without failing the installation."""
    if os.environ.get("MAILNAME_PURE") == "1" or not sys.platform.startswith("linux"):
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    modules = [Extension(name, [source], extra_compile_args=["-O2"], optional=True) for name, source in COMPILED.items()]
    return list(cythonize(modules, build_dir="build/cython", language_level=3, quiet=True))


setup(ext_modules=extensions())
