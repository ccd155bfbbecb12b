"""What a linked model stores, by the symbols of its constants.

Generated code names an array after the tensor and what it holds: block2_acc_weights, block2_bits_t, logits_rise.
"""

from dataclasses import asdict, dataclass

from firmware.image import Image

CONSTANTS = ".model_rodata"  # the section of ports/image.ld
ROLES = {
    "weights": "weights",
    "t": "thresholds",
    "limits": "thresholds",
    "rise": "factors",
    "fall": "factors",
    "scale": "factors",
    "bias": "factors",
    "m": "factors",
    "b": "factors",
    "pad": "pads",
    "layer": "descriptors",
    "map": "descriptors",
    "factors": "descriptors",
    "parts": "descriptors",
}
"""Last word of a symbol -> what it is; anything else is a table."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of a model in the flash of an image.

    weights      of all convolutions, packed, each layer in whole words
    thresholds   the bounds of the comparisons
    factors      of the last layer, and of ops that scale integers
    pads         pad values of convolutions that are not the same for all channels
    tables       all other named arrays
    descriptors  shapes and pointers by which the kernels find the above
    alignment    gaps between them, and constants without a name
    code         generated code, the runtime and the compiler's helpers
    """

    weights: int
    thresholds: int
    factors: int
    pads: int
    tables: int
    descriptors: int
    alignment: int
    code: int

    @property
    def network(self) -> int:
        """What training decided: weights, thresholds, factors, pads and tables."""
        return self.weights + self.thresholds + self.factors + self.pads + self.tables

    def to_dict(self) -> dict:
        return {**asdict(self), "network": self.network}


def read_storage(image: Image) -> Storage:
    """The storage of the model in an image made by build_image."""
    found = dict.fromkeys((*ROLES.values(), "tables"), 0)
    for symbol in image.objects(CONSTANTS):
        found[ROLES.get(symbol.name.rsplit("_", 1)[-1], "tables")] += symbol.size
    gaps = image.sections[CONSTANTS].size - sum(found.values())
    return Storage(**found, alignment=gaps, code=image.sizes().code)
