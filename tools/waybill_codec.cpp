// SPDX-License-Identifier: Apache-2.0
// waybill_codec: runs codecs for waybill-transcode in a process of its own. Not for people: it is started with its
// descriptors open.
#include "pixel/register.hpp"
#include "transcode/serve.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <iostream>

int main() {
  if (::fcntl(waybill::transcode::kAnswers, F_GETFD) < 0) {
    std::cerr << "waybill_codec is started by waybill transcode; it does nothing by itself\n";
    return 2;
  }
  ::prctl(PR_SET_DUMPABLE, 0);  // no image of patients' pixels on disk
  waybill::pixel::register_codecs();
  const int code = waybill::transcode::serve_codecs();
  waybill::pixel::unregister_codecs();
  return code;
}
