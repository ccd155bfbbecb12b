"""Long runs: the whole proof of the ECG networks, at every level of optimisation, with every compiler and emulator."""

import json
import shutil

import pytest

from bnn import zoo

pytestmark = pytest.mark.full
NETWORKS = ("ecg17", "ecg5", "ecg5-plus", "ecg-aami")


def proved(bnn, *arguments) -> None:
    """`bnn verify` compares all it should and finds no difference."""
    ran = bnn("verify", *arguments, "--json")
    assert ran.code == 0, ran.out + ran.err
    for target in json.loads(ran.out)["targets"]:
        assert target["difference"] is None and len(target["tensors"]) >= 12


@pytest.mark.parametrize("opt", ["-Os", "-O2", "-O3"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_target(bnn, name, opt):
    proved(bnn, name, "--on", "all", "--windows", 50, "--opt", opt)


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no arm-none-eabi-gcc")
@pytest.mark.parametrize("name", NETWORKS)
def test_gcc(bnn, name):
    proved(bnn, name, "--on", "cortex-m0,cortex-m3,cortex-m4,cortex-m7,cortex-m33", "--compiler", "gcc")


@pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="no qemu-system-arm")
@pytest.mark.parametrize("name", NETWORKS)
def test_qemu(bnn, name):
    """QEMU's Cortex-M0 has 16 KB of RAM, for samples and stack as well; so the choice of kernels is a limited one."""
    cores = "cortex-m0,cortex-m3,cortex-m4,cortex-m7,cortex-m33"
    proved(bnn, name, "--on", cores, "--emulator", "qemu", "--max-ram", 4864)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_whole_set_agrees_with_the_trained_network(bnn, mitdb, tmp_path, name):
    pytest.importorskip("torch")
    ran = bnn("lower", zoo.model_path(name), "--out", tmp_path / "again.graph", "--json")
    assert ran.code == 0 and json.loads(ran.out)["stages"]["main"]["holds"]
