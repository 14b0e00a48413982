"""What annotators' tools export: labels and boxes that people gave to images in Label Studio, CVAT or another tool."""
