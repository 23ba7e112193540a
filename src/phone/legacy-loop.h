/* The command loop of the legacy agent's device side. */
#pragma once

#include "phone/legacy-device.h"

void mk_device_loop(MkDevice *device);
