# SPDX-License-Identifier: Apache-2.0
"""Synthetic images that look enough like the modality to compress like it, and the PIX1 digest computed independently."""
import hashlib

import numpy as np


def _texture(rng, rows, cols, cell):
    """Smooth random field in [-1, 1]: a coarse grid, linearly interpolated."""
    gr, gc = rows // cell + 2, cols // cell + 2
    grid = rng.integers(-1000, 1001, (gr, gc)).astype(np.float64) / 1000
    y, x = np.arange(rows) / cell, np.arange(cols) / cell
    yi, xi = y.astype(int), x.astype(int)
    fy, fx = (y - yi)[:, None], (x - xi)[None, :]
    top = grid[yi][:, xi] * (1 - fx) + grid[yi][:, xi + 1] * fx
    low = grid[yi + 1][:, xi] * (1 - fx) + grid[yi + 1][:, xi + 1] * fx
    return top * (1 - fy) + low * fy


def _paint(image, axes, cy, cx, ry, rx, values):
    """Sets an ellipse to values (of the whole image); looks only at the box around it."""
    y, x = axes
    rows = slice(*np.searchsorted(y, (cy - ry, cy + ry)))
    cols = slice(*np.searchsorted(x, (cx - rx, cx + rx)))
    inside = ((y[rows, None] - cy) / ry) ** 2 + ((x[None, cols] - cx) / rx) ** 2 < 1
    image[rows, cols][inside] = values[rows, cols][inside]


def body(rng, frames, rows, cols):
    """Frames of a body outline with organs and bones, values in [0, 1]; changes slowly from frame to frame."""
    axes = np.linspace(-1, 1, rows, dtype=np.float32), np.linspace(-1, 1, cols, dtype=np.float32)
    soft = (0.04 * _texture(rng, rows, cols, 16)).astype(np.float32)
    flesh = .4 + soft - .08 * np.hypot(axes[0][:, None], axes[1][None, :])
    organs = [(rng.uniform(-.4, .4), rng.uniform(-.5, .5), rng.uniform(.08, .3), rng.uniform(.08, .3), soft + np.float32(rng.uniform(.3, .6)))
              for _ in range(5)]
    bones = [(rng.uniform(-.4, .4), rng.uniform(-.5, .5), rng.uniform(.04, .1)) for _ in range(3)]
    table = np.linspace(0, .3, cols, dtype=np.float32)[None, :]
    hard = soft + np.float32(.9)
    out = np.zeros((frames, rows, cols), np.float32)
    for f in range(frames):
        t = f / max(frames - 1, 1)
        image = out[f]
        _paint(image, axes, 0, 0, .72 + .1 * t, .85 - .08 * t, flesh)
        for cy, cx, ry, rx, values in organs:
            scale = .6 + .8 * abs(.5 - t)
            _paint(image, axes, cy + .1 * t, cx, ry * scale, rx * scale, values)
        for cy, cx, r in bones:
            _paint(image, axes, cy, cx - .05 * t, r, r * 1.3, hard)
        image[-max(rows // 40, 1):, :] += table  # a sharp edge and a ramp
    return out


def grey(rng, frames, rows, cols, low, high, noise):
    """Integer frames between low and high, with noise of that amplitude inside and less in the air."""
    image = body(rng, frames, rows, cols)
    grain = rng.integers(-noise, noise + 1, image.shape, np.int16) + rng.integers(-noise, noise + 1, image.shape, np.int16)
    values = image * np.float32(high - low) + np.where(image > .01, grain, grain // 4) + np.float32(low)
    return np.rint(np.clip(values, low, high, out=values), out=values).astype(np.int16 if low < 0 else np.uint16)


def nuclear(rng, frames, rows, cols):
    """Counts: a few warm spots, Poisson-like grain."""
    image = body(rng, frames, rows, cols) * 400
    return np.clip(image + rng.integers(0, 12, image.shape, np.int16) * np.sqrt(image) / 4, 0, 32767).astype(np.uint16)


def colour(rng, frames, rows, cols):
    """An ultrasound fan in grey with a coloured flow box and a caption bar, 8 bit RGB."""
    yy, xx = np.mgrid[0:1:rows * 1j, -1:1:cols * 1j]
    fan = (np.hypot(yy, xx) < .95) & (np.abs(xx) < yy * .9 + .05)
    image = body(rng, frames, rows, cols)
    speckle = rng.integers(60, 141, image.shape, np.int16)
    level = np.where(fan, np.clip(image * speckle * np.float32(2.3), 0, 255), np.float32(0))
    out = np.repeat(level[..., None], 3, axis=3)
    box = (slice(None), slice(rows // 3, rows // 2), slice(cols // 3, cols // 2))
    out[box + (0,)] = np.clip(out[box + (0,)] * 1.6, 0, 255)
    out[box + (2,)] *= .3
    out[:, :rows // 20, :, :] = (20, 40, 90)
    out[:, rows // 60:rows // 30, cols // 10:cols // 3:3, :] = 255
    return np.rint(out).astype(np.uint8)


def to_ybr(rgb):
    """RGB as YBR_FULL (PS3.3 C.7.6.3.1.2)."""
    r, g, b = (rgb[..., i].astype(np.float64) for i in range(3))
    y = .2990 * r + .5870 * g + .1140 * b
    return np.clip(np.rint(np.stack([y, (b - y) * .5643 + 128, (r - y) * .7133 + 128], axis=-1)), 0, 255).astype(np.uint8)


def pix1(frames, bits_stored, signed, model):
    """(PIX1 digest, digest of the samples alone) of an array (frames, rows, columns[, samples]); domain notes 4.1."""
    count, rows, cols = frames.shape[:3]
    samples = frames.shape[3] if frames.ndim == 4 else 1
    width = 1 if bits_stored <= 8 else 2
    data = frames.astype(('<i' if signed else '<u') + str(width)).tobytes()
    head = ''.join(f'{v}\n' for v in ('PIX1', rows, cols, count, samples, bits_stored, int(signed), model))
    return hashlib.sha256(head.encode('ascii') + data).hexdigest(), hashlib.sha256(data).hexdigest()


def check_vectors():
    """The test vectors of the digest; raises when the code here does not follow the definition."""
    a = np.array([[[-1, 0], [1, -2048]]], dtype=np.int16)
    b = np.array([[[[255, 0, 0], [0, 0, 255]]]], dtype=np.uint8)
    assert pix1(a, 12, True, 'MONOCHROME2')[0] == 'be9d3039b79f1b9156a779e6fa3310e650b7b4e8bae177eb85f8e50c711fe9ee'
    assert pix1(b, 8, False, 'RGB')[0] == 'acaf11a1476306c53ac39809617375a21bf66af09cbc62c2742db9a5e1290b23'
