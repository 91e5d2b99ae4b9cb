"""Two plans on one host, as the real programs read what is written for both; nothing is started."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from tests.engines.pair import PLAN, plan_of
from tests.interop.programs import need

from mailname.engines.engine import driven_engine
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from pathlib import Path

CHECKERS = {"bind": ("named-checkconf",), "knot": ("knotc", "-c"), "nsd": ("nsd-checkconf",)}
CATALOG = '[catalog]\nname = "zones.example.tech"\n'
CASES = [
    *((name, role, "") for name in CHECKERS for role in ("primary", "secondary")),
    *((name, role, CATALOG) for name in ("bind", "knot") for role in ("primary", "secondary")),
]


class TestTwoPlansOnOneHost:
    @pytest.mark.parametrize(("name", "role", "catalog"), CASES)
    def test_are_read_by_the_real_program(self, name: str, catalog: str, role: str, tmp_path: Path) -> None:
        """They have one key, one address and one catalog, which may stand there once."""
        program, *options = need(CHECKERS[name][0]) + CHECKERS[name][1:]
        engine = driven_engine(name)
        assert engine is not None
        placed = engine.placed((ip_address("127.0.0.1"),), "transfer.example.tech.key")
        places = replace(
            placed,
            folder=tmp_path,
            keys=tmp_path / "keys",
            key_file=tmp_path / "keys" / "transfer.example.tech.key",
            state=tmp_path,
            zones=tmp_path,
            control=tmp_path / "control",
        )
        plans = [plan_of(text + catalog) for text in (PLAN, PLAN.replace('domain = "example.tech"', 'domain = "other.example"'))]
        servers = [next(one for one in plan.name_servers if one.role == role) for plan in plans]
        assert plans[0].transfer_key is not None
        assert places.key_file is not None
        places.key_file.parent.mkdir()
        places.key_file.write_text(engine.key_text([make_key(plans[0].transfer_key.name)]))
        texts: dict[str, str] = {}
        lines: list[str] = []
        for plan, server in zip(plans, servers, strict=True):
            installed = engine.installed(plan, server, places, texts.values())
            for path, text in engine.render(plan, server, places).items():
                texts[str(path)] = text
                (tmp_path / path).write_text(text)
            for file in (one for one in (installed.shared, installed.whole) if one is not None):
                (tmp_path / file[0].name).write_text(file[1])
            lines += [line for line in installed.lines if line not in lines]
            if installed.whole is not None:
                lines = [f'include "{tmp_path / installed.whole[0].name}";', *lines[lines[0].count("named.conf.options") :]]
        whole = tmp_path / "whole.conf"
        whole.write_text("\n".join((*lines, "")))
        words = [program, *options, str(whole), *(["conf-check"] if name == "knot" else [])]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
