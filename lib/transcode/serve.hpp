// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::transcode {

/// Descriptors a codec process inherits.
inline constexpr int kSocket = 3;
inline constexpr int kRequests = 4;
inline constexpr int kAnswers = 5;

/// The whole life of a codec process: answers requests until its owner closes the socket. Returns the exit code. Needs
/// dicom::Toolkit.
[[nodiscard]] int serve_codecs();

}  // namespace waybill::transcode
