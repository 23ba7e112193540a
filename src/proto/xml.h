/* XML Download Agent protocol: words shared by both ends (spec da-xml.md). Frames are those of xflash.h: same magic, header and types.
 * Texts and documents end with one NUL that the length counts; the sys_prop and feedback documents come without it. */
#pragma once

/* Roots of the documents: what the host sends, what the device sends (spec 3.1, 3.2). */
#define MK_XML_ROOT_HOST   "da"
#define MK_XML_ROOT_DEVICE "host"

/* From the device (spec 3.1). */
#define MK_XML_START         "CMD:START"
#define MK_XML_END           "CMD:END"
#define MK_XML_DOWNLOAD_FILE "CMD:DOWNLOAD-FILE"
#define MK_XML_UPLOAD_FILE   "CMD:UPLOAD-FILE"
#define MK_XML_PROGRESS      "CMD:PROGRESS-REPORT"
#define MK_XML_FILE_SYS      "CMD:FILE-SYS-OPERATION"

/* From the host (spec 6, 8). */
#define MK_XML_SET_RUNTIME_PARAMETER   "CMD:SET-RUNTIME-PARAMETER"
#define MK_XML_HOST_SUPPORTED_COMMANDS "CMD:HOST-SUPPORTED-COMMANDS"
#define MK_XML_NOTIFY_INIT_HW          "CMD:NOTIFY-INIT-HW"
#define MK_XML_SET_HOST_INFO           "CMD:SET-HOST-INFO"
#define MK_XML_BOOT_TO                 "CMD:BOOT-TO"
#define MK_XML_REBOOT                  "CMD:REBOOT"
#define MK_XML_GET_HW_INFO             "CMD:GET-HW-INFO"
#define MK_XML_GET_DA_INFO             "CMD:GET-DA-INFO"
#define MK_XML_GET_SYS_PROPERTY        "CMD:GET-SYS-PROPERTY"
#define MK_XML_READ_PARTITION_TABLE    "CMD:READ-PARTITION-TABLE"
#define MK_XML_READ_FLASH              "CMD:READ-FLASH"
#define MK_XML_READ_PARTITION          "CMD:READ-PARTITION"
#define MK_XML_WRITE_FLASH             "CMD:WRITE-FLASH"
#define MK_XML_WRITE_PARTITION         "CMD:WRITE-PARTITION"
#define MK_XML_WRITE_PARTITIONS        "CMD:WRITE-PARTITIONS"
#define MK_XML_ERASE_FLASH             "CMD:ERASE-FLASH"
#define MK_XML_ERASE_PARTITION         "CMD:ERASE-PARTITION"
#define MK_XML_FLASH_ALL               "CMD:FLASH-ALL"
#define MK_XML_FLASH_UPDATE            "CMD:FLASH-UPDATE"
#define MK_XML_IMAGE_FEEDBACK          "CMD:GET-DOWNLOADED-IMAGE-FEEDBACK"
#define MK_XML_SET_BOOT_MODE           "CMD:SET-BOOT-MODE"
#define MK_XML_CAN_HIGHER_USB_SPEED    "CMD:CAN-HIGHER-USB-SPEED"
#define MK_XML_SWITCH_USB_SPEED        "CMD:SWITCH-HIGHER-USB-SPEED"
#define MK_XML_EMMC_CONTROL            "CMD:EMMC-CONTROL"
#define MK_XML_RAM_TEST                "CMD:RAM-TEST"
#define MK_XML_GET_DEV_FW_INFO         "CMD:SECURITY-GET-DEV-FW-INFO"
#define MK_XML_SET_FLASH_POLICY        "CMD:SECURITY-SET-FLASH-POLICY"
#define MK_XML_SET_ALLINONE_SIGNATURE  "CMD:SECURITY-SET-ALLINONE-SIGNATURE"
#define MK_XML_SET_RSC                 "CMD:SET-RSC"
#define MK_XML_WRITE_PRIVATE_CERT      "CMD:WRITE-PRIVATE-CERT"
#define MK_XML_READ_REGISTER           "CMD:READ-REGISTER"
#define MK_XML_WRITE_REGISTER          "CMD:WRITE-REGISTER"
#define MK_XML_READ_EFUSE              "CMD:READ-EFUSE"
#define MK_XML_WRITE_EFUSE             "CMD:WRITE-EFUSE"
#define MK_XML_DEBUG_DRAM_REPAIR       "CMD:DEBUG:DRAM-REPAIR"
#define MK_XML_DEBUG_UFS               "CMD:DEBUG:UFS"

/* Short answers (spec 2.1): only what comes before '@' or '!' decides. */
#define MK_XML_OK          "OK"
#define MK_XML_EOT         "OK!EOT"
#define MK_XML_ERR         "ERR"
#define MK_XML_UNSUPPORTED "ERR!UNSUPPORTED"
#define MK_XML_CANCEL      "ERR!CANCEL"

/* Longest text answer and longest commands that a device takes, in bytes (spec 2). */
enum { MK_XML_ANSWER_MAX = 64, MK_XML_COMMAND_MAX_STAGE1 = 0x800, MK_XML_COMMAND_MAX_STAGE2 = 0x80000 };

/* packet_length as the agents announce it (spec 8.1): stage 1 in both directions, stage 2 down, stage 2 up to Linux and to Windows. */
enum {
    MK_XML_STAGE1_PACKET = 0x1000,
    MK_XML_DOWNLOAD_PACKET = 0x200000,
    MK_XML_UPLOAD_PACKET_LINUX = 0x10000,
    MK_XML_UPLOAD_PACKET = 0x200000,
};
