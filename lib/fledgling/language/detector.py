def load_detector():
    raise NotImplementedError
