import pytest

from bnn.errors import ToolError
from firmware.targets import TARGETS, find_target


def test_an_unknown_target_is_refused_with_the_names_there_are():
    with pytest.raises(ToolError, match=r"target 'cortex-m9' is unknown; choose one of host, cortex-m0, cortex-m3"):
        find_target("cortex-m9")


def test_a_target_is_found_by_its_name_or_itself():
    assert find_target("cortex-m4") is TARGETS["cortex-m4"] is find_target(TARGETS["cortex-m4"])


def test_memories_of_a_target_do_not_overlap():
    for target in TARGETS.values():
        flash, ram = target.flash, target.ram
        assert flash.origin + flash.size <= ram.origin or ram.origin + ram.size <= flash.origin
