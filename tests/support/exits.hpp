// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <string>

namespace waybill::test {

/// The exit a call throws, Exit::ok when none; `text` gets the message.
template <typename F>
Exit exit_of(F call, std::string* text = nullptr) {
  try {
    call();
  } catch (const RunError& error) {
    if (text != nullptr) *text = error.what();
    return error.exit();
  }
  return Exit::ok;
}

}  // namespace waybill::test
