"""Measures PyTorch doing on a GPU what `flawscope bench --device cuda` does there, in turns with it, and prints the ratios.

The networks have the same random weights: how long they take does not depend on them. PyTorch runs as it comes, with its
convolutions in TF32, in the faster of its memory formats; CFA and CFLOW are the authors' algorithms written plainly.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file

from peers import Coupling, blurred, print_pairs

SECONDS = 0.7
DEVICE = "cuda"


def timed(work):
    """Median seconds of at least five runs, after two to warm up."""
    for _ in range(2):
        work()
    torch.cuda.synchronize()
    times, started = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < SECONDS:
        began = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def ours(binary, *arguments):
    """Median seconds of each part by its name, and the device in words."""
    command = [binary, "bench", "--json", "--device", "cuda", "--seconds", str(SECONDS), *arguments]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {part["name"]: part["seconds"]["median"] for part in told["parts"]}, told["device"]


def wide_resnet():
    torch.manual_seed(0)
    return torchvision.models.wide_resnet50_2(weights=None).eval()


class Stages(torch.nn.Module):
    """A ResNet up to its last wanted stage, and what the wanted stages give."""

    def __init__(self, network, wanted):
        super().__init__()
        self.stem = torch.nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
        stages = [network.layer1, network.layer2, network.layer3, network.layer4]
        self.stages = torch.nn.ModuleList(stages[: max(wanted)])
        self.wanted = wanted

    def forward(self, pixels):
        features, taps = self.stem(pixels), []
        for number, stage in enumerate(self.stages, 1):
            features = stage(features)
            if number in self.wanted:
                taps.append(features)
        return taps


def faster_format(network, pixels):
    """The network and its input in the memory format it is faster in."""
    pairs = []
    for layout in (torch.contiguous_format, torch.channels_last):
        own, input = network.to(memory_format=layout), pixels.to(memory_format=layout)
        pairs.append((timed(lambda: own(input)), layout))
    layout = min(pairs, key=lambda pair: pair[0])[1]
    return network.to(memory_format=layout), pixels.to(memory_format=layout)


class Cfa(torch.nn.Module):
    """The authors' model: pooled taps upsampled and joined with coordinates, one convolution, all distances."""

    def __init__(self, channels, side):
        super().__init__()
        total = sum(channels)
        self.descriptor = torch.nn.Conv2d(total + 2, total, 1)
        self.register_buffer("bank", torch.randn(total, side * side))
        rows = torch.linspace(-1, 1, side).view(1, 1, side, 1).expand(1, 1, side, side)
        self.register_buffer("places", torch.cat([rows, rows.transpose(2, 3)], 1))
        self.radius = torch.nn.Parameter(torch.full((1,), 1e-5))
        self.side = side

    def squared(self, taps):
        pooled = [F.avg_pool2d(tap, 3, 1, 1) for tap in taps]
        wide = [F.interpolate(tap, size=self.side, mode="bilinear", align_corners=False) for tap in pooled]
        places = self.places.expand(len(taps[0]), -1, -1, -1)
        patches = self.descriptor(torch.cat([*wide, places], 1)).flatten(2).transpose(1, 2)
        norms = (patches**2).sum(2, keepdim=True) + (self.bank**2).sum(0)
        return norms - 2 * patches @ self.bank

    def score(self, taps, size):
        nearest = self.squared(taps).clamp(min=0).topk(3, largest=False).values.sqrt()
        scores = F.softmin(nearest, dim=2)[..., 0] * nearest[..., 0]
        scores = scores.view(-1, 1, self.side, self.side)
        return blurred(F.interpolate(scores, size=size, mode="bilinear", align_corners=False))

    def loss(self, taps):
        nearest = self.squared(taps).topk(6, largest=False).values
        sphere = self.radius**2
        pull = F.relu(nearest[..., :3] - sphere).mean()
        push = F.relu(sphere - nearest[..., 3:] - 0.1).mean()
        return 1000 * (pull + push)


def cfa_scoring_seconds(pictures):
    """Of one picture."""
    network = Stages(wide_resnet(), [1, 2, 3]).to(DEVICE)
    model = Cfa([256, 512, 1024], 56).to(DEVICE)
    with torch.inference_mode():
        network, pixels = faster_format(network, torch.randn(pictures, 3, 224, 224, device=DEVICE))
        return timed(lambda: model.score(network(pixels), 224).cpu()) / pictures


def cfa_step_seconds():
    """A training step as the authors take it: the frozen network runs again every time."""
    network = Stages(wide_resnet(), [1, 2, 3]).to(DEVICE)
    model = Cfa([256, 512, 1024], 56).to(DEVICE)
    adam = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=5e-4, amsgrad=True)
    with torch.inference_mode():
        network, pixels = faster_format(network, torch.randn(4, 3, 224, 224, device=DEVICE))

    def step():
        with torch.no_grad():
            taps = network(pixels)
        adam.zero_grad()
        model.loss(taps).backward()
        adam.step()

    return timed(step)


def flow(channels):
    return torch.nn.ModuleList(Coupling(channels) for _ in range(8)).to(DEVICE)


def likelihoods(blocks, fibres, condition):
    determinant = 0.0
    for block in blocks:
        fibres, of_block = block(fibres, condition)
        determinant = determinant + of_block
    return (determinant - 0.5 * (fibres**2).sum(1)) / fibres.shape[1]


def cflow_step_seconds(channels):
    """One training step of 256 fibres through eight blocks with Adam."""
    blocks = flow(channels)
    adam = torch.optim.Adam(blocks.parameters(), lr=1e-4)
    fibres, condition = torch.randn(256, channels, device=DEVICE), torch.randn(256, 128, device=DEVICE)

    def step():
        loss = -F.logsigmoid(likelihoods(blocks, fibres, condition)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return timed(step)


def cflow_scoring_seconds(pictures):
    """Of one picture: the authors score 256 fibres at a time, and so does this."""
    network = Stages(wide_resnet(), [2, 3, 4]).to(DEVICE)
    flows = [flow(channels) for channels in (512, 1024, 2048)]
    condition = torch.randn(256, 128, device=DEVICE)

    def score(pixels):
        for blocks, tap in zip(flows, network(pixels)):
            fibres = tap.permute(0, 2, 3, 1).reshape(-1, tap.shape[1])
            parts = [likelihoods(blocks, part, condition[: len(part)]) for part in fibres.split(256)]
            torch.cat(parts).cpu()

    with torch.inference_mode():
        network, pixels = faster_format(network, torch.randn(pictures, 3, 256, 256, device=DEVICE))
        return timed(lambda: score(pixels)) / pictures


def main():
    binary, out, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    weights = os.path.join(out, "wide_resnet50_2_random.safetensors")
    kept = {name: value for name, value in wide_resnet().state_dict().items() if "num_batches" not in name}
    save_file(kept, weights)
    pairs, device = {}, ""

    def note(name, of_ours, of_theirs):
        pairs.setdefault(name, []).append((of_ours, of_theirs))

    network = ["--backbone", "wide-resnet50-2", "--weights", weights]
    for _ in range(rounds):
        cfa, device = ours(binary, "--model", "cfa", *network, "--input", "224crop")
        for pictures in (32, 1):
            part = cfa[f"CFA: scoring, {pictures} at once"]
            note(f"CFA scoring, Wide-ResNet-50-2, 224 px, {pictures} at once", part, cfa_scoring_seconds(pictures))
        part = cfa["CFA: training step, 4 pictures"]
        note("CFA training step, Wide-ResNet-50-2, 4 pictures", part, cfa_step_seconds())
        cflow, _ = ours(binary, "--model", "cflow", *network, "--input", "256")
        for channels in (512, 1024, 2048):
            part = cflow[f"CFLOW-AD: training step, {channels} channels, 256 fibres"]
            note(f"CFLOW training step, {channels} channels", part, cflow_step_seconds(channels))
        part = cflow["CFLOW-AD: scoring, 32 at once"]
        note("CFLOW scoring, Wide-ResNet-50-2, 256 px, 32 at once", part, cflow_scoring_seconds(32))

    print_pairs(f"PyTorch {torch.__version__}, {device}; {rounds} rounds", pairs)


if __name__ == "__main__":
    main()
