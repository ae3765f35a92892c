"""The peers' networks in PyTorch, on graphs laid end to end.

ALIGNN's and DeeperGATGNN's own code needs dgl and a data format of its own; these are their layers with `index_add_`, as they
are published, with the tensors named as in our files. MEGNet is matgl's own.
"""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F


def gaussians(x, first, last, count, gamma):
    return torch.exp(-gamma * (x[:, None] - torch.linspace(first, last, count)) ** 2)


def sum_runs(values, group, groups):
    return values.new_zeros((groups, *values.shape[1:])).index_add_(0, group, values)


def softmax_runs(scores, group, groups):
    index = group[:, None].expand_as(scores)
    largest = scores.new_full((groups, scores.shape[1]), -torch.inf).scatter_reduce_(0, index, scores, "amax")
    e = torch.exp(scores - largest.detach()[group])
    return e / sum_runs(e, group, groups)[group]


def mean_of_atoms(x, b):
    return sum_runs(x, b.graph, b.graphs) / torch.bincount(b.graph, minlength=b.graphs)[:, None]


class Dense(nn.Module):
    def __init__(self, inputs, outputs, norm):
        super().__init__()
        self.linear, self.norm = nn.Linear(inputs, outputs), norm(outputs)

    def forward(self, x):
        return F.silu(self.norm(self.linear(x)))


class EdgeGated(nn.Module):
    def __init__(self, width, norm):
        super().__init__()
        for name in ("src_gate", "dst_gate", "edge_gate", "src_update", "dst_update"):
            setattr(self, name, nn.Linear(width, width))
        self.bn_edges, self.bn_nodes = norm(width), norm(width)

    def forward(self, source, target, x, y):
        m = self.src_gate(x)[source] + self.dst_gate(x)[target] + self.edge_gate(y)
        gate = torch.sigmoid(m)
        sum_of = sum_runs(self.dst_update(x)[source] * gate, target, len(x))
        h = sum_of / (sum_runs(gate, target, len(x)) + 1e-6)
        return x + F.silu(self.bn_nodes(self.src_update(x) + h)), y + F.silu(self.bn_edges(m))


class Alignn(nn.Module):
    """Choudhary and DeCost 2021; with LayerNorm, `alignn_atomwise`."""

    def __init__(self, features, norm, hidden=256, layers=4):
        super().__init__()
        self.features = features
        self.atom_embedding = Dense(features.shape[1], hidden, norm)
        self.edge_embedding = nn.Sequential(Dense(80, 64, norm), Dense(64, hidden, norm))
        self.angle_embedding = nn.Sequential(Dense(40, 64, norm), Dense(64, hidden, norm))
        gated = lambda: EdgeGated(hidden, norm)
        both = lambda: nn.ModuleDict({"node_update": gated(), "edge_update": gated()})
        self.alignn_layers = nn.ModuleList(both() for _ in range(layers))
        self.gcn_layers = nn.ModuleList(gated() for _ in range(layers))
        self.fc = nn.Linear(hidden, 1)

    def forward(self, b):
        x = self.atom_embedding(self.features[b.numbers])
        y = self.edge_embedding(gaussians(b.distance, 0.0, 8.0, 80, 79 / 8))
        z = self.angle_embedding(gaussians(b.cosine, -1.0, 1.0, 40, 39 / 2))
        for layer in self.alignn_layers:
            x, m = layer["node_update"](b.neighbor, b.center, x, y)
            y, z = layer["edge_update"](b.gathered, b.gathering, m, z)
        for layer in self.gcn_layers:
            x, y = layer(b.neighbor, b.center, x, y)
        return self.fc(mean_of_atoms(x, b)).squeeze(1)


class Attention(nn.Module):
    def __init__(self, width, heads=4):
        super().__init__()
        self.width, self.heads = width, heads
        self.weight = nn.Parameter(torch.empty(2 * width, heads * width))
        self.att = nn.Parameter(torch.empty(heads, 2 * width))
        self.bias = nn.Parameter(torch.empty(width))
        self.norm = nn.BatchNorm1d(heads)

    def forward(self, center, neighbor, x, e):
        out = lambda ends: F.softplus(torch.cat([x[ends], e], 1) @ self.weight).view(-1, self.heads, self.width)
        out_i, out_j = out(center), out(neighbor)
        score = F.softplus((torch.cat([out_i, out_j], 2) * self.att).sum(2))
        alpha = softmax_runs(F.softplus(self.norm(score)), center, len(x))
        return sum_runs((out_j * alpha[..., None]).mean(1), center, len(x)) + self.bias


class GroupNorm(nn.Module):
    def __init__(self, width, groups=10):
        super().__init__()
        self.cluster, self.norm, self.groups = nn.Linear(width, groups, bias=False), nn.BatchNorm1d(groups * width), groups

    def forward(self, x):
        share = torch.softmax(self.cluster(x), 1)
        parts = (share[..., None] * x[:, None, :]).reshape(len(x), -1)
        return x + 0.01 * self.norm(parts).view(len(x), self.groups, -1).sum(1)


class DeeperGatgnn(nn.Module):
    """Omee et al. 2022."""

    def __init__(self, _, width=64, layers=10):
        super().__init__()
        self.atom, self.bond = nn.Linear(114, width), nn.Linear(50, width)
        layer = lambda: nn.ModuleDict({"attention": Attention(width), "norm": GroupNorm(width)})
        self.layers = nn.ModuleList(layer() for _ in range(layers))
        sizes = [(width + 108, width), (width, width), (width, 1)]
        self.weigh = nn.ModuleDict({"layers": nn.ModuleList(nn.Linear(*size) for size in sizes)})
        self.out = nn.Linear(width, 1)

    def forward(self, b):
        nodes = len(b.numbers)
        loops = torch.arange(nodes)
        center, neighbor = torch.cat([b.center, loops]), torch.cat([b.neighbor, loops])
        distance = torch.cat([b.distance, b.distance.new_zeros(nodes)]) / 8.0
        e = F.leaky_relu(self.bond(gaussians(distance, 0.0, 1.0, 50, 12.5)), 0.2)
        degree = torch.bincount(center, minlength=nodes).clamp_max(13)
        x = F.leaky_relu(self.atom(torch.cat([F.one_hot(b.numbers - 1, 100), F.one_hot(degree, 14)], 1).float()), 0.2)
        for layer in self.layers:
            x = layer["norm"](layer["attention"](center, neighbor, x, e)) + x
        composition = mean_of_atoms(F.one_hot(b.numbers, 108).float(), b)[b.graph]
        first, second, last = self.weigh["layers"]
        score = last(F.softplus(second(F.softplus(first(torch.cat([x, composition], 1))))))
        return self.out(sum_runs(x * softmax_runs(score, b.graph, b.graphs), b.graph, b.graphs)).squeeze(1)


class Convolution(nn.Module):
    def __init__(self, atom, bond):
        super().__init__()
        self.fc_full = nn.Linear(2 * atom + bond, 2 * atom)
        self.bn1, self.bn2 = nn.BatchNorm1d(2 * atom), nn.BatchNorm1d(atom)

    def forward(self, b, x, e):
        gate, core = self.bn1(self.fc_full(torch.cat([x[b.center], x[b.neighbor], e], 1))).chunk(2, dim=1)
        message = torch.sigmoid(gate) * F.softplus(core)
        return F.softplus(x + self.bn2(sum_runs(message, b.center, len(x))))


class Cgcnn(nn.Module):
    """Xie and Grossman 2018."""

    def __init__(self, features, atom=64, crystal=32, convolutions=4):
        super().__init__()
        self.features, self.embedding = features, nn.Linear(features.shape[1], atom)
        self.convs = nn.ModuleList(Convolution(atom, 41) for _ in range(convolutions))
        self.conv_to_fc, self.fc_out = nn.Linear(atom, crystal), nn.Linear(crystal, 1)

    def forward(self, b):
        x, e = self.embedding(self.features[b.numbers]), gaussians(b.distance, 0.0, 8.0, 41, 25.0)
        for layer in self.convs:
            x = layer(b, x, e)
        return self.fc_out(F.softplus(self.conv_to_fc(F.softplus(mean_of_atoms(x, b))))).squeeze(1)


class Matgl(nn.Module):
    """matgl's MEGNet, given bonds as displacements between atoms that all lie at the origin."""

    def __init__(self, _):
        super().__init__()
        from matgl.models import MEGNet
        from pymatgen.core import Element

        self.net = MEGNet()
        # matgl numbers elements by a list of its own.
        self.place = torch.zeros(101, dtype=torch.long)
        for k, symbol in enumerate(self.net.element_types):
            self.place[Element(symbol).Z] = k

    def forward(self, b):
        graph = SimpleNamespace(
            node_type=self.place[b.numbers],
            pos=torch.zeros(len(b.numbers), 3),
            edge_index=torch.stack([b.center, b.neighbor]),
            pbc_offshift=b.displacement,
            batch=b.graph if b.graphs > 1 else None,
            num_graphs=b.graphs,
        )
        state = torch.zeros(b.graphs, 2) if b.graphs > 1 else torch.zeros(2)
        return self.net(graph, state_attr=state).reshape(-1)


def network(name, features):
    """The network of that name; an ALIGNN's may end in its width and number of layers: `alignn-256-4`."""
    kind, *size = name.replace("alignn-atomwise", "atomwise").split("-")
    if kind in ("alignn", "atomwise"):
        norm = nn.BatchNorm1d if kind == "alignn" else nn.LayerNorm
        return Alignn(features, norm, *map(int, size))
    return {"megnet": Matgl, "deeper": DeeperGatgnn, "cgcnn": Cgcnn}[kind](features)


def load(net, tensors):
    """Fills `net` from tensors by our names: gamma and beta for a norm's weight and bias, linear weights as [in, out]."""
    linear = {f"{name}.weight" for name, module in net.named_modules() if isinstance(module, nn.Linear)}
    state = {}
    for name, tensor in tensors.items():
        name = name.removesuffix("gamma") + "weight" if name.endswith(".gamma") else name
        name = name.removesuffix("beta") + "bias" if name.endswith(".beta") else name
        state[name] = tensor.T.contiguous() if name in linear else tensor
    missing = net.load_state_dict(state, strict=False).missing_keys
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    assert not missing, missing


class Graphs:
    """Graphs end to end, cut into batches."""

    def __init__(self, tensors):
        self.tensors = {k: v.long() if v.dtype == torch.int32 else v for k, v in tensors.items()}
        self.tensors["displacement"] = self.tensors["displacement"].view(-1, 3)
        starts = lambda name: torch.cat([torch.zeros(1).long(), self.tensors[name].cumsum(0)]).tolist()
        self.atoms, self.bonds = starts("atoms"), starts("bonds")
        self.pairs = starts("pairs") if "pairs" in tensors else None

    def __len__(self):
        return len(self.atoms) - 1

    def batch(self, chosen):
        """One batch of the graphs `chosen`."""
        t, lots = self.tensors, []
        atoms = bonds = 0
        for k, i in enumerate(chosen):
            a, e = slice(*self.atoms[i : i + 2]), slice(*self.bonds[i : i + 2])
            lot = {
                "numbers": t["numbers"][a],
                "center": t["center"][e] + atoms,
                "neighbor": t["neighbor"][e] + atoms,
                "distance": t["distance"][e],
                "displacement": t["displacement"][e],
                "graph": torch.full((a.stop - a.start,), k),
            }
            if self.pairs:
                p = slice(*self.pairs[i : i + 2])
                lot |= {"gathering": t["gathering"][p] + bonds, "gathered": t["gathered"][p] + bonds, "cosine": t["cosine"][p]}
            lots.append(lot)
            atoms, bonds = atoms + a.stop - a.start, bonds + e.stop - e.start
        return SimpleNamespace(graphs=len(lots), **{key: torch.cat([lot[key] for lot in lots]) for key in lots[0]})
