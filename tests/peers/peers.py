"""Measures PyTorch doing the work of `flawscope bench`, in turns with it, and prints the ratios.

The network has the same weights and input; the heads have the same sizes. A brute-force search and a recorded gradient take
as long whatever the numbers are, so theirs are drawn. Threads are those that flawscope uses.
"""

import json
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import load_file

SECONDS = 1.0


def timed(work):
    """Median seconds of at least five runs, after one to warm up."""
    work()
    times, started = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < SECONDS:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def ours(binary, *arguments):
    """Median seconds of each part by its name, and the threads."""
    command = [binary, "bench", "--json", "--device", "cpu", "--seconds", str(SECONDS), *arguments]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {part["name"]: part["seconds"]["median"] for part in told["parts"]}, told["threads"]


class Stages(torch.nn.Module):
    """ResNet-18 up to its third stage, and what each stage gives."""

    def __init__(self, weights):
        super().__init__()
        network = torchvision.models.resnet18(weights=None)
        network.load_state_dict(load_file(weights), strict=False)
        self.stem = torch.nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        self.stages = torch.nn.ModuleList([network.layer1, network.layer2, network.layer3])

    def forward(self, pixels):
        features, taps = self.stem(pixels), []
        for stage in self.stages:
            features = stage(features)
            taps.append(features)
        return taps


def network_seconds(weights, pictures):
    """Of one picture, in the faster of the two memory formats."""
    best = []
    for layout in (torch.contiguous_format, torch.channels_last):
        network = Stages(weights).eval().to(memory_format=layout)
        pixels = torch.randn(pictures, 3, 224, 224).to(memory_format=layout)
        best.append(timed(lambda: network(pixels)) / pictures)
    return min(best)


def blurred(scores):
    """Gaussian of 4 pixels, separable, mirrored border."""
    positions = torch.arange(-16, 17, dtype=torch.float32, device=scores.device)
    kernel = torch.exp(-positions**2 / 32)
    kernel = kernel / kernel.sum()
    padded = F.pad(scores, (16, 16, 16, 16), mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def cfa_head_seconds():
    """From ResNet-18's features at 224 px to a score map: descriptor, all distances, the three nearest of 3,136."""
    taps = [torch.randn(1, 64, 56, 56), torch.randn(1, 128, 28, 28), torch.randn(1, 256, 14, 14)]
    descriptor = torch.nn.Conv2d(450, 448, 1)
    bank = torch.randn(448, 3136)
    bank_norms = (bank**2).sum(0)
    rows = torch.linspace(-1, 1, 56).view(1, 1, 56, 1).expand(1, 1, 56, 56)

    def score():
        pooled = [F.avg_pool2d(tap, 3, 1, 1) for tap in taps]
        wide = [F.interpolate(tap, size=56, mode="bilinear", align_corners=False) for tap in pooled]
        described = descriptor(torch.cat([*wide, rows, rows.transpose(2, 3)], 1))
        patches = described.flatten(2)[0].t()
        squared = (patches**2).sum(1, keepdim=True) + bank_norms - 2 * patches @ bank
        nearest = squared.clamp(min=0).topk(3, largest=False).values.sqrt()
        scores = F.softmin(nearest, dim=1)[:, 0] * nearest[:, 0]
        large = F.interpolate(scores.view(1, 1, 56, 56), size=224, mode="bilinear", align_corners=False)
        return blurred(large)

    return timed(score)


class Coupling(torch.nn.Module):
    """One conditional coupling block: subnet, soft clamp, global affine, fixed rotation."""

    def __init__(self, channels, condition=128):
        super().__init__()
        self.kept = channels - channels // 2
        inputs = self.kept + condition
        outputs = 2 * (channels // 2)
        self.subnet = torch.nn.Sequential(
            torch.nn.Linear(inputs, 2 * inputs), torch.nn.ReLU(), torch.nn.Linear(2 * inputs, outputs)
        )
        self.gain = torch.nn.Parameter(torch.full((channels,), 9.986478501))
        self.offset = torch.nn.Parameter(torch.zeros(channels))
        self.register_buffer("rotation", torch.linalg.qr(torch.randn(channels, channels))[0])

    def forward(self, x, condition):
        kept, changed = x[:, : self.kept], x[:, self.kept :]
        shift_and_scale = 0.1 * self.subnet(torch.cat([kept, condition], 1))
        scale, shift = shift_and_scale.chunk(2, 1)
        scale = 1.9 * torch.tanh(scale)
        gain = 0.2 * F.softplus(0.5 * self.gain)
        x = torch.cat([kept, changed * torch.exp(scale) + shift], 1) * gain + self.offset
        return x @ self.rotation.t(), scale.sum(1) + gain.log().sum()


def cflow_step_seconds(channels):
    """One training step of 256 fibres through eight blocks with Adam."""
    blocks = torch.nn.ModuleList(Coupling(channels) for _ in range(8))
    adam = torch.optim.Adam(blocks.parameters(), lr=1e-4)
    fibres, condition = torch.randn(256, channels), torch.randn(256, 128)

    def step():
        x, determinant = fibres, 0.0
        for block in blocks:
            x, of_block = block(x, condition)
            determinant = determinant + of_block
        likelihood = (determinant - 0.5 * (x**2).sum(1)) / channels
        loss = -F.logsigmoid(likelihood).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return timed(step)


def product_seconds():
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return timed(lambda: a @ b)


def print_pairs(title, pairs):
    """One line for each piece of work: medians of the rounds in milliseconds, and the ratio with its spread."""
    width = max(map(len, pairs)) + 2
    print(f"{title} in turns, medians of medians, milliseconds")
    print(f"{'':<{width}}{'flawscope':>10}{'PyTorch':>10}{'ratio':>8}{'from':>8}{'to':>8}")
    for name, times in pairs.items():
        ratios = sorted(theirs / mine for mine, theirs in times)
        mine, theirs = (1e3 * statistics.median(side) for side in zip(*times))
        ratio = statistics.median(ratios)
        print(f"{name:<{width}}{mine:>10.3f}{theirs:>10.3f}{ratio:>8.2f}{ratios[0]:>8.2f}{ratios[-1]:>8.2f}")


def main():
    binary, weights, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pairs = {}

    def note(name, of_ours, of_theirs):
        pairs.setdefault(name, []).append((of_ours, of_theirs))

    for _ in range(rounds):
        resnet = ["--backbone", "resnet18", "--weights", weights, "--input", "224crop"]
        cfa, threads = ours(binary, "--model", "cfa", *resnet)
        torch.set_num_threads(threads)
        with torch.no_grad():
            note("matrix product 2048 x 2048", cfa["matrix product, 2048 x 2048"], product_seconds())
            for pictures in (1, 8):
                part = cfa[f"CFA: frozen network, {pictures} at once"]
                note(f"ResNet-18 to stage 3, 224 px, {pictures} at once", part, network_seconds(weights, pictures))
            part = cfa["CFA: score map from features"]
            note("CFA head, ResNet-18, 224 px", part, cfa_head_seconds())
        cflow, _ = ours(binary, "--model", "cflow")
        for channels in (40, 112, 320):
            part = cflow[f"CFLOW-AD: training step, {channels} channels, 256 fibres"]
            note(f"CFLOW training step, {channels} channels", part, cflow_step_seconds(channels))

    print_pairs(f"PyTorch {torch.__version__}, {threads} threads, {rounds} rounds", pairs)


if __name__ == "__main__":
    main()
