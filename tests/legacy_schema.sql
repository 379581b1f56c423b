-- The tables of the legacy server that a move reads, and a few that it leaves behind.
-- Three-byte utf8 throughout, as it was there.

CREATE TABLE Status (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, Name varchar(50), Explanation varchar(100)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Role (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, RoleName varchar(100)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE LogType (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, Name varchar(128), Explanation varchar(255),
  CreatedAt datetime DEFAULT CURRENT_TIMESTAMP, UpdatedAt datetime, UpdatedBy int
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Country (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(128)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Governate (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, GOVName varchar(128), GOVNameEN varchar(128),
  CountryID int
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE City (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, Name varchar(128), NumOfRegions int, CountryID int,
  GovID int, NameEN varchar(128)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Region (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, RegionName varchar(128), CountryID int, GovID int,
  CityID int, RegionNameEN varchar(128)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Compound (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, CompundName varchar(128), NumOfBlocks int,
  CountryID int, GovID int, CityID int, RegionID int, CompoundNameEN varchar(128)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Street (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, StreetName varchar(255), NumOfBlocks int,
  CountryID int, GovID int, CityID int, RegionID int, CompundID int
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Resident_User (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, Name varchar(255), UserName varchar(100),
  Email varchar(100), Password varchar(100), PhoneNum varchar(32), Image varchar(255),
  MartialStatus varchar(50), StatusID int, OTP varchar(32), Hide int NOT NULL,
  FcmRegistrationID varchar(255), CreatedAt datetime, UpdatedAt datetime, UpdatedBy int,
  UNIQUE KEY (Email), UNIQUE KEY (PhoneNum),
  FOREIGN KEY (StatusID) REFERENCES Status (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Block (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, BlockNum varchar(32), NumberOfAppartments int,
  NumberOfFloors int NOT NULL, Image varchar(255), Password varchar(255), Balance int, Fees int,
  Longitude varchar(255), Latitude varchar(255), CountryID int NOT NULL, GovernateID int NOT NULL,
  CityID int NOT NULL, RegionID int NOT NULL, CompoundID int NOT NULL, StreetID int NOT NULL,
  StatusID int, CreatedAt datetime, UpdatedAt datetime, UpdatedBy int, BlockName varchar(128),
  FOREIGN KEY (StreetID) REFERENCES Street (ID),
  FOREIGN KEY (StatusID) REFERENCES Status (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Apartment (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, FloorNum int, ApartmentNumber int,
  balance int NOT NULL, Fees int NOT NULL, BlockID int, StatusID int, CreatedAt datetime,
  UpdatedAt datetime, UpdatedBy int, ApartmentName varchar(32),
  FOREIGN KEY (BlockID) REFERENCES Block (ID),
  FOREIGN KEY (StatusID) REFERENCES Status (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE RES_APART_BLOCK_ROLE (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, ResidentID int, ApartmentID int, BlockID int,
  RoleID int, StatusID int,
  FOREIGN KEY (ResidentID) REFERENCES Resident_User (ID),
  FOREIGN KEY (ApartmentID) REFERENCES Apartment (ID),
  FOREIGN KEY (BlockID) REFERENCES Block (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE PhoneNums (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, UserID int, ServiceID int, PhoneNum varchar(128),
  Hide int, CreatedAt datetime, UpdatedAt datetime, UpdatedBy int,
  FOREIGN KEY (UserID) REFERENCES Resident_User (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Emails (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, UserID int, ServiceID int, Email varchar(128),
  Hide int, CreatedAt datetime, UpdatedAt datetime, UpdatedBy int,
  FOREIGN KEY (UserID) REFERENCES Resident_User (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Logs (
  ID double NOT NULL AUTO_INCREMENT PRIMARY KEY, UserID int, ApartmentID int, BlockID int,
  LogTypeID int, Action varchar(128) NOT NULL, LogRecordIdInActualTable varchar(32) NOT NULL,
  LogActualTable varchar(32) NOT NULL, Longitude varchar(255), Latitude varchar(255),
  Date varchar(32), CreatedAt datetime, UpdatedAt datetime, UpdatedBy int,
  FOREIGN KEY (UserID) REFERENCES Resident_User (ID),
  FOREIGN KEY (LogTypeID) REFERENCES LogType (ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE Message (
  ID int NOT NULL AUTO_INCREMENT PRIMARY KEY, Message text, Attach varchar(255), SenderID int,
  ReceiverID int, ApartmentID int, BlockID int, ChatID int, CreatedAt datetime,
  UpdatedAt datetime, UpdatedBy int
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
