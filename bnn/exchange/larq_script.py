"""Runs in an environment with larq-compute-engine, never in ours: builds a Keras model, converts it, runs windows.

    python larq_script.py FOLDER

FOLDER holds layers.json, constants.npz and windows.npy of bnn.exchange.lce; model.tflite and logits.npy are put there.
Maps are (windows, time, 1, channels); until a layer takes its sign, a bit is a number, negative for 0.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import larq
import larq_compute_engine
import numpy as np
import tensorflow as tf
from larq_compute_engine.tflite.python.interpreter import Interpreter

keras = tf.keras


class Builder:
    """One method an op; `values` are the tensors by name, `kernels` what the layers get once the model is there."""

    def __init__(self, layers: dict, constants):
        self._constants = constants
        self.input = keras.Input((layers["samples"], 1, 1))
        self.values = {layers["signal"]: self.input}
        for node in layers["nodes"]:
            x = [self.values[name] for name in node["inputs"] if name in self.values]
            self.values[node["name"]] = getattr(self, node["op"])(node, *x)
        self.model = keras.Model(self.input, self.values[layers["logits"]])

    def constant(self, node, field):
        return self._constants[f"{node['name']}:{field}"]

    def conv(self, node, x, weights, quantizer):
        """weights (kernel, 1, n_in, n_out) of -1 and +1; x is padded already."""
        layer = larq.layers.QuantConv2D(
            weights.shape[3],
            weights.shape[:2],
            strides=(node["stride"], 1),
            use_bias=False,
            input_quantizer=quantizer,
            kernel_quantizer="ste_sign",
            kernel_constraint="weight_clip",
        )
        y = layer(x)
        layer.set_weights([weights])
        return y

    def SignalConv(self, node, x):
        w = self.constant(node, "w").T[:, None, None, :]
        return self.conv(node, pad(x, node["pad"]), w, None)

    def BinaryConv(self, node, x):
        w, signs = self.constant(node, "w").transpose(2, 1, 0)[:, None], self.constant(node, "pad_value")
        if (signs > 0).all():
            return self.conv(node, pad(x, node["pad"]), w, "ste_sign")
        return self.conv(node, pad(x * signs, node["pad"]) * signs, w, "ste_sign")

    def Threshold(self, node, x):
        layer = keras.layers.BatchNormalization(scale=False, center=False, epsilon=0.0)
        y = layer(x)
        t = self.constant(node, "t")
        layer.set_weights([t, np.ones_like(t)])
        return y

    def pool(self, node, x):
        return keras.layers.MaxPool2D((node["kernel"], 1), (node["stride"], 1))(x)

    OrPool = MaxPool = pool

    def AndNot(self, node, a, b):
        return tf.minimum(a, -b)

    def PReluSum(self, node, x):
        up, down = tf.nn.relu(x), -tf.nn.relu(-x)
        rise, fall, bias = (self.constant(node, name) * 2.0 ** -node["frac"] for name in ("rise", "fall", "bias"))
        return tf.reduce_sum(up, (1, 2)) * rise + tf.reduce_sum(down, (1, 2)) * fall + bias


def pad(x, n):
    return tf.pad(x, [[0, 0], [n, n], [0, 0], [0, 0]], constant_values=1.0)


def main(folder: Path) -> None:
    layers = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
    constants = np.load(folder / "constants.npz", allow_pickle=False)
    model = Builder(layers, constants).model
    tflite = larq_compute_engine.convert_keras_model(model)
    (folder / "model.tflite").write_bytes(tflite)
    windows = np.load(folder / "windows.npy", allow_pickle=False)[:, :, None, None]
    logits = Interpreter(tflite, num_threads=1).predict(windows)
    np.save(folder / "logits.npy", np.asarray(logits, np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
