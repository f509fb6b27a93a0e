# SPDX-License-Identifier: Apache-2.0
"""Parts of scripts/make-archive. Nothing here uses the C++ code of this repository."""
