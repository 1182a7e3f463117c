"""The model behind the local gateway: answers by rules, without a model."""
