"""Other people's formats: ILSVRC's archives and devkits, Kaggle's tree, VOC boxes, WebDataset shards, lists."""
