from . import (
    chapter as chapter,
)
from . import (
    client as client,
)
from . import (
    data as data,
)
from . import (
    detection as detection,
)
from . import (
    evaluation as evaluation,
)
from . import (
    families as families,
)
from . import (
    layers as layers,
)
from . import (
    networks as networks,
)
from . import (
    plots as plots,
)
from . import (
    report as report,
)
from . import (
    serving as serving,
)
from . import (
    training as training,
)
from . import (
    tuning as tuning,
)
from .autoencoder import Autoencoder as Autoencoder
from .data.mnist import load_mnist as load_mnist
from .detection.compare import compare as compare
from .detection.detect import detect as detect
from .detection.detector import Detector as Detector
from .detection.monitor import Monitor as Monitor
from .errors import AEZooError as AEZooError
from .errors import AEZooWarning as AEZooWarning
from .evaluation.density import Density as Density
from .evaluation.health import health as health
from .evaluation.log_likelihood import log_likelihood as log_likelihood
from .evaluation.paths import interpolate as interpolate
from .evaluation.paths import traverse as traverse
from .evaluation.pca import PCA as PCA
from .factory import build as build
from .factory import load as load
from .families.configs import list_families as list_families
from .layers.corruption import corrupt as corrupt
from .serving.export import export as export
from .tables.schema import schema as schema
from .training.fit import fit as fit
from .training.fit_robust import fit_robust as fit_robust
from .training.pretrain import pretrain as pretrain
from .training.supervise import supervise as supervise
from .tuning.search import search as search

__version__: str
