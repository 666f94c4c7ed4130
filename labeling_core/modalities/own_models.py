"""A model that people bring along, at work: a picture or a sound in, a vector out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, sounds
from labeling_core.modalities.own_descriptions import Described
from labeling_core.sources.windows import Span

_SIDE = 224  # of a picture, where neither the model nor its description says


class OnnxReader:
    """The model ``path``, given and asked as ``described``."""

    def __init__(self, path: Path, described: Described) -> None:
        self.described, self.path = described, path
        self._session: Any = None

    def features(self, path: Path, span: Span | None = None) -> np.ndarray:
        """The vector of one picture, of one sound or of a ``span`` of it, float32 [width]. Raises
        LabelingError, also where the model does not take what its description says."""
        if self.described.modality == "images":
            size = self._size()
            return self._asked(self._picture(images.decoded(path, size), size))
        pieces = [
            (self._asked(self._sound(piece)), share) for piece, share in self._pieces(path, span)
        ]
        vectors, shares = zip(*pieces, strict=True)
        return np.average(vectors, axis=0, weights=shares).astype(np.float32)

    def try_out(self) -> None:
        """Raise LabelingError where the model does not take what its description says, before it is
        held against the files."""
        if self.described.modality == "images":
            size = self._size()
            self._asked(self._picture(Image.new("RGB", size), size))
        else:
            silence = round(self.described.seconds * self.described.rate)
            self._asked(self._sound(np.zeros(silence, np.float32)))

    def _asked(self, given: np.ndarray) -> np.ndarray:
        session = self._opened()
        wanted = [self.described.output] if self.described.output else None
        name = session.get_inputs()[0].name
        try:
            found = np.asarray(session.run(wanted, {name: given})[0], np.float32)
        except Exception as error:  # ONNX Runtime has a type for each of its mistakes
            said = str(error).strip().splitlines()[0][:200]
            raise LabelingError(f"{self.path.name} does not take it: {said}") from error
        return self._vector(found)

    def _vector(self, found: np.ndarray) -> np.ndarray:
        """[1, width] as it is; of [1, places, width] or [1, width, rows, columns] the mean over the
        places, or the first."""
        if found.ndim <= 2:
            return found.reshape(-1)
        one = found.reshape(found.shape[1:]) if found.shape[0] == 1 else found
        flat = one if one.ndim == 2 else one.reshape(one.shape[0], -1).T
        vector: np.ndarray = flat[0] if self.described.pool == "first" else flat.mean(axis=0)
        return vector

    def _opened(self) -> Any:
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1  # as many processes read files as there are cores
            options.log_severity_level = 3
            try:
                self._session = onnxruntime.InferenceSession(
                    self.path, options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                said = str(error).strip().splitlines()[0][:200]
                raise LabelingError(f"{self.path.name} is no model in ONNX: {said}") from error
        return self._session

    def _shape(self) -> list[int]:
        """The axes of what the model is given; 0 where any length will do."""
        shape = self._opened().get_inputs()[0].shape
        return [each if isinstance(each, int) else 0 for each in shape]

    def _colours_last(self) -> bool:
        shape = self._shape()
        return len(shape) == 4 and shape[3] == 3 and shape[1] != 3

    def _size(self) -> tuple[int, int]:
        """Width and height of a picture as the model wants it."""
        shape = self._shape()
        sides = shape[1:3] if self._colours_last() else shape[2:4]
        high, wide = sides if len(sides) == 2 else (0, 0)
        return self.described.width or wide or _SIDE, self.described.height or high or _SIDE

    def _picture(self, image: Image.Image, size: tuple[int, int]) -> np.ndarray:
        """float32 [1, 3, height, width], or [1, height, width, 3] where the model wants that."""
        asked, last = self.described, self._colours_last()
        if asked.fit == "crop":
            image = _middle(image, size)
        small = np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32) / 255
        values = (small - np.array(asked.mean, np.float32)) / np.array(asked.deviation, np.float32)
        return np.ascontiguousarray(values[None] if last else values.transpose(2, 0, 1)[None])

    def _pieces(self, path: Path, span: Span | None) -> Iterator[tuple[np.ndarray, float]]:
        """The sound at the rate that the model wants, a piece at a time, and what share of the
        piece is sound."""
        import soxr

        asked = self.described
        wanted = round(asked.seconds * asked.rate)
        with sounds.opened(path, span) as sound:
            sounds.require_complete(sound, path, span)
            frames = max(1, round(asked.seconds * sound.samplerate))
            begun = False
            while len(part := sounds.mono(sound, frames)) or not begun:
                begun = True
                if not np.isfinite(part).all():
                    raise LabelingError(f"{path.name} holds values that are no numbers.")
                alike = soxr.resample(part, sound.samplerate, asked.rate)[:wanted]
                share = max(len(alike), 1) / wanted
                yield np.pad(alike, (0, wanted - len(alike))).astype(np.float32), share

    def _sound(self, piece: np.ndarray) -> np.ndarray:
        """A piece as the model wants it: its axes before the last ones are 1 long."""
        rank, asked = len(self._shape()), self.described
        if asked.input == "waveform":
            return piece.reshape((1,) * (rank - 1) + (-1,))
        import librosa

        power = librosa.feature.melspectrogram(
            y=piece, sr=asked.rate, n_fft=round(asked.window * asked.rate), power=2.0,
            hop_length=round(asked.hop * asked.rate), n_mels=asked.mels, fmin=asked.lowest,
            fmax=asked.highest or None,
        )  # fmt: skip
        level = np.log(np.maximum(power, 1e-10)).astype(np.float32)
        upright = self._shape()[-1] != asked.mels  # [bands, moments]
        level = np.ascontiguousarray(level if upright else level.T)
        return level.reshape((1,) * (rank - 2) + level.shape)


def _middle(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest part of a picture around its middle that has the proportions of ``size``."""
    share = min(image.width / size[0], image.height / size[1])
    wide, high = round(size[0] * share), round(size[1] * share)
    left, top = (image.width - wide) // 2, (image.height - high) // 2
    return image.crop((left, top, left + wide, top + high))
