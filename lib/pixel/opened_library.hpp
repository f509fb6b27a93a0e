// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>

namespace waybill::pixel {

/// A shared library opened when its first function is wanted and never closed, as its code may run until the process
/// ends. A codec derives from it and has one member a function, each set by `find`.
class OpenedLibrary {
 public:
  /// Whether the library is there and has every function that was looked for; only then may one be called.
  [[nodiscard]] bool usable() const { return usable_; }

 protected:
  explicit OpenedLibrary(const char* name)
      : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)), usable_(handle_ != nullptr) {}

  /// An address that becomes a pointer to whatever function it is given to.
  struct Symbol {
    void* address;
    template <typename Function>
    operator Function*() const {
      return reinterpret_cast<Function*>(address);
    }
  };

  Symbol find(const char* function) {
    void* const address = handle_ == nullptr ? nullptr : ::dlsym(handle_, function);
    usable_ = usable_ && address != nullptr;
    return {address};
  }

 private:
  void* handle_;
  bool usable_;
};

}  // namespace waybill::pixel
