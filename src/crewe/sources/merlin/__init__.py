"""Merlin (Medipix3) detectors: .mib files and, over the network, the detector itself."""
