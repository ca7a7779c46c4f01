"""The stages of `dvc repro`: one module is one stage, one section of a recipe in params.yaml and one output folder."""
