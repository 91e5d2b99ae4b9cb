"""Builds the compiled core where Cython and a C compiler are at hand; without them the same code runs uncompiled.

Everything else about the package stands in pyproject.toml.
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup

COMPILED = {
    "mailname.answer.image_index": "src/mailname/answer/image_index.py",
    "mailname.answer.images": "src/mailname/answer/images.py",
    "mailname.answer.plain": "src/mailname/answer/plain.py",
    "mailname.answer.plain_authority": "src/mailname/answer/plain_authority.py",
    "mailname.answer.plain_denial": "src/mailname/answer/plain_denial.py",
    "mailname.answer.plain_hash": "src/mailname/answer/plain_hash.py",
    "mailname.answer.plain_lookup": "src/mailname/answer/plain_lookup.py",
    "mailname.answer.plain_question": "src/mailname/answer/plain_question.py",
    "mailname.answer.plain_write": "src/mailname/answer/plain_write.py",
    "mailname.transfer.axfr_fill": "src/mailname/transfer/axfr_fill.py",
    "mailname.transfer.axfr_read": "src/mailname/transfer/axfr_read.py",
    "mailname.transfer.ixfr_fill": "src/mailname/transfer/ixfr_fill.py",
    "mailname.transfer.journal_records": "src/mailname/transfer/journal_records.py",
    "mailname.wire.last_record": "src/mailname/wire/last_record.py",
    "mailname.zone.canonical_order": "src/mailname/zone/canonical_order.py",
    "mailname.zone.denial_chain": "src/mailname/zone/denial_chain.py",
    "mailname.zone.fast_fields": "src/mailname/zone/fast_fields.py",
    "mailname.zone.fast_load": "src/mailname/zone/fast_load.py",
    "mailname.zone.fast_rdata": "src/mailname/zone/fast_rdata.py",
    "mailname.zone.fast_scan": "src/mailname/zone/fast_scan.py",
    "mailname.zone.fast_tokens": "src/mailname/zone/fast_tokens.py",
    "mailname.zone.fast_types": "src/mailname/zone/fast_types.py",
    "mailname.zone.fast_write": "src/mailname/zone/fast_write.py",
    "mailname.zone.fast_write_fields": "src/mailname/zone/fast_write_fields.py",
    "mailname.zone.fast_write_rdata": "src/mailname/zone/fast_write_rdata.py",
    "mailname.zone.image_build": "src/mailname/zone/image_build.py",
    "mailname.zone.image_diff": "src/mailname/zone/image_diff.py",
    "mailname.zone.image_layout": "src/mailname/zone/image_layout.py",
    "mailname.zone.image_merge_hosts": "src/mailname/zone/image_merge_hosts.py",
    "mailname.zone.image_merge_index": "src/mailname/zone/image_merge_index.py",
    "mailname.zone.image_merge_plan": "src/mailname/zone/image_merge_plan.py",
    "mailname.zone.image_merge_records": "src/mailname/zone/image_merge_records.py",
    "mailname.zone.image_merge_runs": "src/mailname/zone/image_merge_runs.py",
    "mailname.zone.image_merge_view": "src/mailname/zone/image_merge_view.py",
    "mailname.zone.image_merge_write": "src/mailname/zone/image_merge_write.py",
    "mailname.zone.image_signatures": "src/mailname/zone/image_signatures.py",
    "mailname.zone.owner_index": "src/mailname/zone/owner_index.py",
    "mailname.zone.packed": "src/mailname/zone/packed.py",
    "mailname.zone.record_groups": "src/mailname/zone/record_groups.py",
    "mailname.zone.same_rdata": "src/mailname/zone/same_rdata.py",
    "mailname.server.client_sketch": "src/mailname/server/client_sketch.py",
    "mailname.server.name_sketch": "src/mailname/server/name_sketch.py",
    "mailname.server.folder_scan": "src/mailname/server/folder_scan.pyx",
    "mailname.server.udp_worker": "src/mailname/server/udp_worker.pyx",
}
CORES = os.cpu_count() or 1


def extensions() -> list[Extension]:
    """Return the extension modules, each of which may fail to build without failing the installation."""
    if os.environ.get("MAILNAME_PURE") == "1" or not sys.platform.startswith("linux"):
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    modules = [Extension(name, [source], extra_compile_args=["-O2", "-g0"], optional=True) for name, source in COMPILED.items()]
    return list(cythonize(modules, build_dir="build/cython", language_level=3, quiet=True, nthreads=CORES))


setup(ext_modules=extensions(), options={"build_ext": {"parallel": CORES}})
