"""Embeddings, and the projection of features onto them (Miyato & Koyama, 2018, eq. 3).

Tables W float32 (n_cat, C), labels int32 (B,), features h float32 (B, C).
"""
import numpy as np


def lookup(W, labels):
    """W[labels], float32 (B, C)."""
    return W[labels]


def lookup_gradient(gy, labels, n_cat):
    """The gradient of the table, float32 (n_cat, C), from gy (B, C): of each category the sum in the samples' order."""
    gW = np.zeros((n_cat, gy.shape[1]), gy.dtype)
    np.add.at(gW, labels, gy)
    return gW


def project(h, W, labels):
    """⟨W[label], h⟩ of each sample, float32 (B, 1)."""
    return (h.astype(np.float64) * W[labels]).sum(1, keepdims=True).astype(h.dtype)


def project_gradient(gy, h, W, labels):
    """gh (B, C) and gW (n_cat, C) from gy (B, 1)."""
    return gy * W[labels], lookup_gradient(gy * h, labels, len(W))
