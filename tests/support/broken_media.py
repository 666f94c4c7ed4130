"""Real files for the tests: good ones, and broken ones in every way that was thought of."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import soundfile
from PIL import Image

from labeling_core.errors import LabelingError

MARKUP = {
    "svg": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "html": b"\n <!DOCTYPE html><html><script>alert(1)</script></html>",
}


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """The sentence with which ``read`` refuses a file, or None."""
    try:
        read(path)
    except LabelingError as error:
        return str(error)
    return None


def photo(width: int = 96, height: int = 64, seed: int = 0) -> Image.Image:
    """A smooth picture in many colours."""
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    content = BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [
        chunk(b"IHDR", header),
        chunk(b"IDAT", zlib.compress(b"\0" * 1000)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def broken_images() -> dict[str, bytes]:
    """File name → content, each broken in its own way."""
    png, jpeg = encoded(photo(), "PNG"), encoded(photo(400, 300), "JPEG", quality=90)
    gif, tiff = encoded(photo(), "GIF"), encoded(photo(), "TIFF")
    return {
        "empty.png": b"",
        "zeros.png": bytes(3000),
        "text.jpg": b"This is no picture at all.\n" * 20,
        "svg.png": MARKUP["svg"],
        "html.jpg": MARKUP["html"],
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut.png": png[: len(png) // 2],
        "flipped.png": png[:60] + bytes(byte ^ 0xFF for byte in png[60:200]) + png[200:],
        "bomb.png": png_of_size(60_000, 60_000),
        "header_only.gif": gif[:13],
        "cut.tiff": tiff[:100],
        "archive.png": b"PK\x03\x04" + bytes(500),
        "sound.webp": wave(0.1),
        "missing_rows.png": png_of_size(300, 300),
    }


def tone(seconds: float, rate: int = 16_000, pitch: float = 440.0, channels: int = 1) -> np.ndarray:
    times = np.arange(int(seconds * rate)) / rate
    signal = 0.5 * np.sin(2 * np.pi * pitch * times) * np.linspace(1, 0.2, times.size)
    return np.repeat(signal.astype(np.float32)[:, None], channels, axis=1)


def recorded(signal: np.ndarray, rate: int, format: str, subtype: str | None = None) -> bytes:
    content = BytesIO()
    soundfile.write(content, signal, rate, format=format, subtype=subtype)
    return content.getvalue()


def wave(seconds: float, rate: int = 16_000) -> bytes:
    return recorded(tone(seconds, rate), rate, "WAV")


def broken_sounds() -> dict[str, bytes]:
    """File name → content, each broken in its own way."""
    noise = np.random.default_rng(1).normal(0, 0.1, 48_000).astype(np.float32)
    formats = {kind: recorded(noise, 16_000, kind) for kind in ("FLAC", "OGG", "MP3", "AIFF")}
    return {
        "empty.wav": b"",
        "zeros.flac": bytes(3000),
        "text.mp3": b"This is no sound at all.\n" * 20,
        "html.ogg": MARKUP["html"],
        "random.aiff": np.random.default_rng(2).bytes(4000),
        "no_frames.wav": recorded(noise[:0], 16_000, "WAV"),
        "cut.wav": wave(2)[:20_000],
        "cut.flac": formats["FLAC"][: len(formats["FLAC"]) * 2 // 3],
        "cut.ogg": formats["OGG"][: len(formats["OGG"]) * 2 // 3],
        "cut.mp3": formats["MP3"][: len(formats["MP3"]) // 2],
        "cut.aiff": formats["AIFF"][: len(formats["AIFF"]) // 2],
        "image.wav": encoded(photo(), "PNG"),
        "coding.wav": wave(1)[:20] + b"\x4f\x67" + wave(1)[22:],
        "not_numbers.wav": recorded(noise * np.float32("nan"), 16_000, "WAV", "FLOAT"),
    }


def write_all(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def coded(signal: np.ndarray, rate: int, container: str, codec: str, timed: bool = False) -> bytes:
    """``signal`` (frames × channels, -1..1) as FFmpeg's ``codec`` in its ``container``; an M4A says
    how much silence its encoder put in front only if it is ``timed``."""
    content = BytesIO()
    with av.open(content, "w", container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.codec_context.bit_rate = 64_000
        stream.layout = "mono" if signal.shape[1] == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(signal, np.float32).reshape(1, -1), "flt", stream.layout
        )
        frame.sample_rate = rate
        if timed:
            frame.pts, frame.time_base = 0, Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return content.getvalue()
