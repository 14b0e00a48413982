"""The demo: ImageNet's making in miniature (Deng et al., CVPR 2009), on real photographs."""
