// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::dicom {

/// Owns DCMTK's process-wide state: codec registration, network start-up, silent logs.
/// Create exactly one in main(), before the first thread.
class Toolkit {
 public:
  Toolkit();
  ~Toolkit();
  Toolkit(const Toolkit&) = delete;
  Toolkit& operator=(const Toolkit&) = delete;
};

}  // namespace waybill::dicom
