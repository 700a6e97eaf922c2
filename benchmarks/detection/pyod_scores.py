"""PyOD's ECOD and AutoEncoder on the sets; prints a line of JSON a split. PyTorch and TensorFlow do not go together."""

import json
import sys
import time
import warnings

import numpy as np
import torch
from pyod.models.auto_encoder import AutoEncoder
from pyod.models.ecod import ECOD

from benchmarks import common
from benchmarks.detection import sets


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(int(sys.argv[2]))
    found = sets.folder(sys.argv[1]) if sys.argv[1] else sets.problems()
    for place, problem in enumerate(found):
        for seed in common.seeds():
            each = sets.split(problem, seed)
            answer = {}
            for name, detector in (
                ("ECOD", ECOD()),
                ("PyOD AutoEncoder", AutoEncoder(batch_size=min(32, len(each.train)), random_state=seed, verbose=0)),
            ):
                begin = time.perf_counter()
                detector.fit(each.train_numbers)
                scores = np.nan_to_num(detector.decision_function(each.test_numbers))
                answer[name] = {"seconds": time.perf_counter() - begin, "scores": scores.tolist()}
            print(json.dumps({"place": place, "seed": seed, **answer}), flush=True)


if __name__ == "__main__":
    main()
