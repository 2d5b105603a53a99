"""What the literature says of each privacy method; from the abstracts named, nothing measured by us."""

LITERATURE: tuple[tuple[str, str, str], ...] = (
    (
        "differential_privacy",
        "with enough users it costs computation rather than accuracy, shown for language models",
        "McMahan, Ramage, Talwar, Zhang 2018, arXiv:1710.06963",
    ),
    (
        "secure_mpc",
        "1.73x the bytes for 2^10 users and 2^20 numbers of 16 bits; 1.98x for 2^14 users and 2^24 numbers",
        "Bonawitz et al. 2017, CCS, doi:10.1145/3133956.3133982",
    ),
    (
        "homomorphic_encryption",
        "two orders of magnitude more bytes without batching; batched, 66 to 101x fewer, accuracy within 1 %",
        "Zhang et al. 2020, BatchCrypt, USENIX ATC",
    ),
    (
        "hybrid",
        "matches the accuracy of central noise with less than 16 bits a number",
        "Kairouz, Liu, Steinke 2021, arXiv:2102.06387",
    ),
)
