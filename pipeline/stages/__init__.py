"""Stages of `dvc repro`: each module is a stage with its section of a recipe in params.yaml and its output folder."""
