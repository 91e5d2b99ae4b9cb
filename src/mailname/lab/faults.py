"""The faults that a rehearsal can inject (``rehearse --break``), all in one list.

A fault acts on the world (registry, paths, configuration files, zone content), never on what a server answers.
"""

from __future__ import annotations

from mailname.lab import faults_between, faults_mail, faults_registrar, faults_server, faults_zone
from mailname.lab.fault import FAULTS, Fault, find_fault

__all__ = ["FAULTS", "Fault", "faults_between", "faults_mail", "faults_registrar", "faults_server", "faults_zone", "find_fault"]
