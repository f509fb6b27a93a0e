// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/made.hpp"
#include "probe/run.hpp"

namespace waybill::probe {

/// How a DICOMweb service answers QIDO-RS: time, pages, limits, keys and forms. Throws net::PeerError when it cannot be
/// reached or lets nobody in; what it fails at later is a trouble.
void ask_web(const Options& options, Profile& profile);

/// In which transfer syntaxes WADO-RS gives an object that was stored before. Throws net::PeerError.
void ask_retrieval(const Options& options, const Made& made, Profile& profile);

/// How many connections to it stand at the same time.
[[nodiscard]] AtOnce web_at_once(const Options& options);

}  // namespace waybill::probe
