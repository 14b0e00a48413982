"""Detection: boxes with scores against true boxes, by ILSVRC's rule, PASCAL VOC's and COCO's."""
