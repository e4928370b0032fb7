"""A dataset in the format cellvit -> a network that has learnt from it. Runs when its checkpoint is asked for."""


rule train:
    """Train a network on the exported patches."""
    input:
        dataset="results/dataset/{scale}/cellvit/manifest.json",
        start=CONFIG.train.start or [],
    output:
        checkpoint="results/dataset/{scale}/model/checkpoint.pth",
        evaluation="results/dataset/{scale}/model/evaluation.json",
    log:
        "logs/dataset/train_{scale}.log",
    benchmark:
        "logs/dataset/train_{scale}.tsv"
    threads: share_of_cores(1)
    resources:
        mem_mb=mem_mb("train"),
        runtime=runtime("train"),
        gpu=gpus("train"),
    params:
        start=option("start"),
        settings=settings("train"),
    shell:
        r"""
        sthelar-build train \
            --dataset {input.dataset:q} \
            {params.start:q} \
            --checkpoint {output.checkpoint:q} \
            --evaluation {output.evaluation:q} \
            --threads {threads} \
            --settings {params.settings:q} &>{log:q}
        """
