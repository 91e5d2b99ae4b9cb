from __future__ import annotations

from tests.plan.marked_plans import good, plan

from mailname.plan import expand, load
from mailname.plan.registrar import worksheet
from mailname.zone import Serial

KEY = "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="


class TestWorksheet:
    def test_of_names_in_the_domain(self) -> None:
        """Names in published order, and the glue of each (RFC 1034 section 4.2.1)."""
        sheet = worksheet(plan(), expand(plan(), Serial(1)))
        assert [str(server.name) for server in sheet.name_servers] == ["ns1.example.tech.", "ns2.example.tech."]
        assert [[str(address) for address in addresses] for _, addresses in sheet.glue] == [
            ["192.0.2.1", "2001:db8:1::1"],
            ["198.51.100.2", "2001:db8:2::2"],
        ]
        assert all(server.glue_needed for server in sheet.name_servers)
        assert "glue" in sheet.notes[0]
        assert sheet.ds == ()
        assert not any(line.startswith("Addresses for") for line in sheet.never)

    def test_of_names_outside(self) -> None:
        """No glue, and it says so."""
        made = plan(('"ns1.example.tech"', '"ns1.example.org"'), ('"ns2.example.tech"', '"ns2.example.org"'))
        sheet = worksheet(made, expand(made, Serial(1)))
        assert sheet.glue == ()
        assert all("no glue" in server.why for server in sheet.name_servers)
        assert len(sheet.notes) == 1
        assert [line.split(":")[0] for line in sheet.never[:2]] == [
            "Addresses for ns1.example.org",
            "Addresses for ns2.example.org",
        ]

    def test_of_a_signed_zone(self) -> None:
        """The DS of each key that is a secure entry point."""
        made = plan(("[soa]", f'zone_text = "@ DNSKEY 257 3 13 {KEY}\\n@ DNSKEY 256 3 13 {KEY}"\n[soa]'))
        sheet = worksheet(made, expand(made, Serial(1)))
        (ds,) = sheet.ds
        assert ds.digest_type == 2
        assert not any("A DS record" in line for line in sheet.never)

    def test_notes_on_names_of_other_scripts(self) -> None:
        """They have two forms."""
        made = load(good().replace("example.tech", "bücher.de"), "plan.toml").plan
        notes = " ".join(worksheet(made, expand(made, Serial(1))).notes)
        assert "xn--" in notes
